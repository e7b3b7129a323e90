//! The nodes as users and programs are shown them.
